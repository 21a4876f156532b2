"""How people come into a community and leave it: requests, invite codes, first steps, waves."""
