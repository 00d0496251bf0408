"""Real parts that tests start and end themselves: a gateway process, a Cerbos PDP, free ports."""
