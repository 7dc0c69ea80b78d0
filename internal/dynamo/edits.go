package dynamo

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partnerview/internal/directory"
	"partnerview/internal/fault"
	"partnerview/internal/usage"
)

// How a partner was changed: its version, and the notes of commands.

var editsAttributes = project("pk", "sk", "version", "notes")

// Edits reads how a partner was changed. What is read of the partner afterwards is of this
// version or a later one. NotFound: there is no such partner.
func (s *Store) Edits(ctx context.Context, id directory.PartnerID) (directory.Edits, error) {
	it, err := s.getConsistent(ctx, "edits of "+string(id), s.tables.Partners, partnerItemKey(id), editsAttributes)
	if err != nil {
		return directory.Edits{}, err
	}
	r := reader{item: it}
	e := directory.Edits{Version: r.text("version")}
	if notes := r.document("notes"); notes != nil {
		e.Notes = make(map[directory.NoteOf]directory.Note, len(notes.item))
		for of := range notes.item {
			at, command, whole := strings.Cut(notes.required(of), " ")
			t, err := usage.ParseTime(at)
			if err != nil || !whole {
				notes.fail(of, "a time and a command")
			}
			e.Notes[directory.NoteOf(of)] = directory.Note{Command: command, At: t}
		}
		if notes.err != nil {
			return directory.Edits{}, badItem("partner", string(id), notes.err)
		}
	}
	if r.err != nil {
		return directory.Edits{}, badItem("partner", string(id), r.err)
	}
	return e, nil
}

// PutEdits replaces a partner's edits where its version is still the one before, and reports
// whether it was. The version after must be one that nobody else gives: where it stands there
// already, it is this call's own, whose answer was lost.
func (s *Store) PutEdits(ctx context.Context, id directory.PartnerID, before string, after directory.Edits) (
	is bool, err error) {
	update, values := "SET #version = :after", item{":after": str(after.Version)}
	condition := "attribute_exists(pk) AND attribute_not_exists(#version)"
	if before != "" {
		condition = "#version = :before"
		values[":before"] = str(before)
	}
	if len(after.Notes) == 0 {
		update += " REMOVE #notes"
	} else {
		notes := make(item, len(after.Notes))
		for of, note := range after.Notes {
			notes[string(of)] = str(usage.FormatTime(note.At) + " " + note.Command)
		}
		update += ", #notes = :notes"
		values[":notes"] = &types.AttributeValueMemberM{Value: notes}
	}
	_, err = s.update(ctx, "version of "+string(id), &dynamodb.UpdateItemInput{
		TableName: &s.tables.Partners, Key: partnerItemKey(id), UpdateExpression: aws.String(update),
		ConditionExpression: aws.String(condition), ExpressionAttributeValues: values,
		ExpressionAttributeNames: map[string]string{"#version": "version", "#notes": "notes"},
	})
	if !isConditionFailed(err) {
		return err == nil, err
	}
	there, err := s.Edits(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	return err == nil && there.Version == after.Version, err
}
