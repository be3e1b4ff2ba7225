"""Who somebody is and what they may do: keys, signed rights, invitations and grants."""
