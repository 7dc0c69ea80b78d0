package dynamo

// SplitDays has a store split days whose text is longer, for tests of the package.
func (s *Store) SplitDays(bytes int) { s.sheetBytes = bytes }
