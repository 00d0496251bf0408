"""What the enforcement point is made of: the batch asked, answers combined, the two texts of a stop, the record. No I/O."""
