"""The request pipeline of the gateway and its HTTP surface."""
