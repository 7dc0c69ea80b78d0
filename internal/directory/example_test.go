package directory_test

import (
	"fmt"

	"partnerview/internal/directory"
	"partnerview/internal/usage"
)

// What a grant shows is both enabled and granted, in the order of the products; a
// grant that names none grants all.
func ExampleVisible() {
	enabled := []usage.Product{usage.Video, usage.SMS}
	fmt.Println(directory.Visible(enabled, []usage.Product{usage.SMS, usage.Voice}))
	fmt.Println(directory.Visible(enabled, nil))
	fmt.Println(directory.Visible(enabled, []usage.Product{usage.Messaging}))
	// Output:
	// [sms]
	// [sms video]
	// []
}

// Each word of a search is somewhere in the name or in the account ID.
func ExampleSearch_Finds() {
	muller := directory.NewSearch("muller de_01")
	fmt.Println(muller.Finds("Blumen Müller", "flowers_de_01"))
	fmt.Println(muller.Finds("Blumen Müller", "flowers_at_01"))
	// Output:
	// true
	// false
}
