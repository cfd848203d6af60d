"""The gallery of a campaign: the query, the sorted photos, and the table for download."""
