"""Where values come from, what they mean to each part, and the same as text."""
