"""The demo members' registers: synthetic people, and what each showcase query must answer about them."""
