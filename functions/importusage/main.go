// Command importusage is the Lambda function that imports the files of the inbox. The state
// machine calls it; no route leads to it.
package main

import (
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"partnerview/functions/start"
	"partnerview/internal/inbox"
	"partnerview/internal/objects"
)

func main() {
	f, err := start.FromEnv(start.Untraced(os.Getenv))
	bucket, noBucket := objects.NewStore(os.Getenv)
	keepsNone, noDays := inbox.KeepsNone(os.Getenv("INBOX_DAYS"))
	f.Check(err, noBucket, noDays)
	i := &inbox.Inbox{Files: bucket, Store: f.Store, Now: f.Now, Log: f.Log, KeepsNone: keepsNone}
	lambda.Start(i.Call)
}
