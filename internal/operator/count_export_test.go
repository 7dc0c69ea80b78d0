package operator

// For tests of their own package.
var CountDays = countDays
