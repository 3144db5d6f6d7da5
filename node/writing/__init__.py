"""What a consumer may write: its rules, the record, and the record under the policy."""
