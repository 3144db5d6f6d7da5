"""An operation in, a query plan out; pure."""
