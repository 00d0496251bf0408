"""What the comparison with the real PDP needs: a policy set of any size, servers on one core, clients on the other."""
