"""How a federation is kept: operators publish editions of the registry, members ask to join and sign agreements."""
