"""Tables: what every one can do, how its rows are written as CSV, and each library's own way of being one."""
