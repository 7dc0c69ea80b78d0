package money_test

import (
	"fmt"

	"partnerview/internal/money"
)

// What is read is kept exactly, and written without an exponent or trailing zeros. What is
// no decimal is refused, and told how one is written.
func ExampleParse() {
	for _, text := range []string{"0.0412", "1520.730", "41e-3", "1,5"} {
		d, err := money.Parse(text)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(money.Text(d))
	}
	// Output:
	// 0.0412
	// 1520.73
	// 0.041
	// "1,5" is not a decimal number such as 0.0412 (an exponent may be up to ±18)
}
