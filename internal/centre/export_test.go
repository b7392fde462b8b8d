package centre

// WithoutRole makes transactions have the role of the DSN, for which, as it is a
// superuser's in tests, row-level security does not hold.
func (c *Centre) WithoutRole() { c.role = "" }
