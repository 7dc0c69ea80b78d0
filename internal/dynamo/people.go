package dynamo

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partnerview/internal/directory"
	"partnerview/internal/fault"
	"partnerview/internal/usage"
)

// People of partners: what is said of somebody whom an OIDC issuer knows.

var personAttributes = project("pk", "sk", "status", "issuer", "subject", "label", "createdAt", "removedAt")

func viewerItemKey(partner directory.PartnerID, id directory.ViewerID) item {
	return item{"pk": str(holderKey(partner, id)), "sk": str(profile)}
}

// personReference is the item under which a partner lists a person.
func personReference(partner directory.PartnerID, id directory.ViewerID) item {
	return item{"pk": str(partnerKey(partner)), "sk": str(viewerPrefix + string(id))}
}

// Person reads what is said of a person. NotFound: nothing is.
func (s *Store) Person(ctx context.Context, partner directory.PartnerID,
	id directory.ViewerID) (directory.Person, error) {
	it, err := s.getConsistent(ctx, "person "+string(id), s.tables.Partners, viewerItemKey(partner, id),
		personAttributes)
	if err != nil {
		return directory.Person{}, err
	}
	return decodePerson(it)
}

// People lists a partner's people, removed ones too, by name and subject.
func (s *Store) People(ctx context.Context, partner directory.PartnerID) ([]directory.Person, error) {
	ids, err := s.PeopleIDs(ctx, partner)
	if err != nil {
		return nil, err
	}
	var people []directory.Person
	for batch := range slices.Chunk(ids, maxBatchGet) {
		wanted := make([]item, len(batch))
		for i, id := range batch {
			wanted[i] = viewerItemKey(partner, id)
		}
		items, err := s.batchGet(ctx, "people of "+string(partner), s.tables.Partners, wanted, personAttributes, true)
		if err != nil {
			return nil, err
		}
		for _, it := range items {
			p, err := decodePerson(it)
			if err != nil {
				return nil, err
			}
			people = append(people, p)
		}
	}
	slices.SortFunc(people, func(a, b directory.Person) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Subject, b.Subject),
			strings.Compare(a.Issuer, b.Issuer))
	})
	return people, nil
}

// PeopleIDs lists the ids under which a partner has people, those too of whom an
// interrupted command has left the reference alone.
func (s *Store) PeopleIDs(ctx context.Context, partner directory.PartnerID) ([]directory.ViewerID, error) {
	references, err := s.queryAll(ctx, query{
		op: "people of " + string(partner), table: s.tables.Partners,
		projection: keyReferenceAttributes,
		condition:  "#pk = :pk AND begins_with(#sk, :viewer)",
		values:     item{":pk": str(partnerKey(partner)), ":viewer": str(viewerPrefix)},
		consistent: true,
	})
	if err != nil {
		return nil, err
	}
	ids := make([]directory.ViewerID, len(references))
	for i, it := range references {
		r := reader{item: it}
		ids[i] = directory.ViewerID(strings.TrimPrefix(r.text("sk"), viewerPrefix))
	}
	return ids, nil
}

// PutPerson says something of a person, in place of what was said before. The reference
// comes first: an entry that counts is always listed, and can be taken back. The
// person's list stays as it is.
func (s *Store) PutPerson(ctx context.Context, p directory.Person) error {
	op := "write person " + string(p.ID())
	if err := s.put(ctx, op, s.tables.Partners, personReference(p.Partner, p.ID())); err != nil {
		return err
	}
	return s.put(ctx, op, s.tables.Partners, encodePerson(p))
}

// RemovePerson makes a person refused, and returns what is kept of it. One who is
// removed already keeps the time when it was. NotFound: nothing is said of the person.
func (s *Store) RemovePerson(ctx context.Context, partner directory.PartnerID, id directory.ViewerID,
	now time.Time) (directory.Person, error) {
	op := "remove person " + string(id)
	it, err := s.update(ctx, op, &dynamodb.UpdateItemInput{
		TableName:                &s.tables.Partners,
		Key:                      viewerItemKey(partner, id),
		UpdateExpression:         aws.String("SET #status = :removed, removedAt = if_not_exists(removedAt, :now)"),
		ConditionExpression:      aws.String("attribute_exists(pk)"),
		ExpressionAttributeNames: map[string]string{"#status": "status"},
		ExpressionAttributeValues: item{":removed": str(string(directory.Removed)),
			":now": str(usage.FormatTime(now))},
		ReturnValues: types.ReturnValueAllNew,
	})
	if isConditionFailed(err) {
		return directory.Person{}, fault.New(fault.NotFound, op, nil)
	}
	if err != nil {
		return directory.Person{}, err
	}
	return decodePerson(it)
}

// DeletePerson forgets what is said of a person, and then the reference. The person's
// list stays: it is to be deleted before. It is no error if nothing is there.
func (s *Store) DeletePerson(ctx context.Context, partner directory.PartnerID, id directory.ViewerID) error {
	op := "delete person " + string(id)
	if err := s.deleteItem(ctx, op, s.tables.Partners, viewerItemKey(partner, id)); err != nil {
		return err
	}
	return s.deleteItem(ctx, op, s.tables.Partners, personReference(partner, id))
}

// decodePersonState reads whether a person counts. One that cannot be read is no
// person of whom nothing is said, who may see all.
func decodePersonState(it item) (directory.PersonState, error) {
	r := reader{item: it}
	state := directory.PersonState(r.required("status"))
	if state != directory.Listed && state != directory.Removed {
		r.fail("status", "active or removed")
	}
	if r.err != nil {
		return "", badItem("person", r.text("pk"), r.err)
	}
	return state, nil
}

func decodePerson(it item) (directory.Person, error) {
	state, err := decodePersonState(it)
	if err != nil {
		return directory.Person{}, err
	}
	r := reader{item: it}
	partner, id, _ := parseHolderKey(r.required("pk"))
	p := directory.Person{
		Partner: partner, Issuer: r.required("issuer"), Subject: r.required("subject"), Name: r.text("label"),
		CreatedAt: r.time("createdAt"), RemovedAt: r.time("removedAt"),
	}
	if p.RemovedAt.IsZero() == (state == directory.Removed) {
		r.fail("removedAt", "a time, where the status is removed, and only there")
	}
	if r.err == nil && p.ID() != id {
		r.fail("pk", "the hash of issuer and subject")
	}
	if r.err != nil {
		return directory.Person{}, badItem("person", string(id), r.err)
	}
	return p, nil
}

func encodePerson(p directory.Person) item {
	it := viewerItemKey(p.Partner, p.ID())
	state := directory.Listed
	if !p.RemovedAt.IsZero() {
		state = directory.Removed
	}
	it["status"], it["issuer"], it["subject"] = str(string(state)), str(p.Issuer), str(p.Subject)
	putText(it, "label", p.Name)
	putTime(it, "createdAt", p.CreatedAt)
	putTime(it, "removedAt", p.RemovedAt)
	return it
}
