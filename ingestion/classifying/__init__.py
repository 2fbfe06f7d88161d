"""What a document is about, from the vectors of its passages; knows no Django and no model."""
