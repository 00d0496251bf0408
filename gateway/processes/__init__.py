"""The processes that run: gate, clerk and `ostiary pdp`, and what each does beside answering."""
