"""The verbs of operators, over the REST API: one file a group of verbs."""
