"""The demo story: a retailer, a careless carrier, and five colleagues who do what the product is for."""
