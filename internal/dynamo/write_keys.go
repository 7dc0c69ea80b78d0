package dynamo

import (
	"cmp"
	"context"
	"errors"
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

var (
	keyListAttributes      = project("pk", "sk", "partnerId", "hash", "lastFour", "label", "createdAt", "expiresAt", "revokedAt")
	keyReferenceAttributes = project("pk", "sk")
)

// PutAccessKey keeps a new access key. The reference under which its partner
// lists it comes first: a key that counts is always listed, and can be revoked. A
// reference whose key was never written is not listed.
func (s *Store) PutAccessKey(ctx context.Context, k directory.AccessKey) error {
	op := "write access key " + k.ID
	reference := item{"pk": str(partnerKey(k.Partner)), "sk": str(accessKeyKey(k.ID))}
	if err := s.put(ctx, op, s.tables.Partners, reference); err != nil {
		return err
	}
	return s.put(ctx, op, s.tables.Partners, encodeAccessKey(k))
}

// AccessKeys lists a partner's access keys, revoked and expired ones too, by the
// time of their making.
func (s *Store) AccessKeys(ctx context.Context, partner directory.PartnerID) ([]directory.AccessKey, error) {
	op := "access keys of " + string(partner)
	ids, err := s.AccessKeyIDs(ctx, partner)
	if err != nil {
		return nil, err
	}
	wanted := make([]item, len(ids))
	for i, id := range ids {
		wanted[i] = accessKeyItemKey(id)
	}
	var keys []directory.AccessKey
	for batch := range slices.Chunk(wanted, maxBatchGet) {
		items, err := s.batchGet(ctx, op, s.tables.Partners, types.KeysAndAttributes{
			Keys: batch, ConsistentRead: aws.Bool(true),
			ProjectionExpression: &keyListAttributes.expression, ExpressionAttributeNames: keyListAttributes.names,
		})
		if err != nil {
			return nil, err
		}
		for _, it := range items {
			k, err := decodeListedKey(it)
			if err != nil {
				return nil, err
			}
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b directory.AccessKey) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), strings.Compare(a.ID, b.ID))
	})
	return keys, nil
}

// AccessKeyIDs lists the ids under which a partner has access keys, those too of
// which an interrupted command has left the reference alone.
func (s *Store) AccessKeyIDs(ctx context.Context, partner directory.PartnerID) ([]string, error) {
	references, err := s.queryAll(ctx, query{
		op: "access keys of " + string(partner), table: s.tables.Partners,
		projection: keyReferenceAttributes,
		condition:  "#pk = :pk AND begins_with(#sk, :key)",
		values:     item{":pk": str(partnerKey(partner)), ":key": str(keyPrefix)},
		consistent: true,
	})
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(references))
	for i, it := range references {
		r := reader{item: it}
		ids[i] = strings.TrimPrefix(r.text("sk"), keyPrefix)
	}
	return ids, nil
}

// DeleteAccessKey deletes a key, and then the reference by which its partner has
// it. It is no error if either is not there.
func (s *Store) DeleteAccessKey(ctx context.Context, partner directory.PartnerID, id string) error {
	op := "delete access key " + id
	if err := s.deleteItem(ctx, op, s.tables.Partners, accessKeyItemKey(id)); err != nil {
		return err
	}
	return s.deleteItem(ctx, op, s.tables.Partners, item{"pk": str(partnerKey(partner)), "sk": str(accessKeyKey(id))})
}

// AccessKeyInFull reads all that is kept of an access key. NotFound: there is
// no key of that id.
func (s *Store) AccessKeyInFull(ctx context.Context, id string) (directory.AccessKey, error) {
	op := "access key " + id
	items, err := s.batchGet(ctx, op, s.tables.Partners, types.KeysAndAttributes{
		Keys: []item{accessKeyItemKey(id)}, ConsistentRead: aws.Bool(true),
		ProjectionExpression: &keyListAttributes.expression, ExpressionAttributeNames: keyListAttributes.names,
	})
	if err != nil {
		return directory.AccessKey{}, err
	}
	if len(items) == 0 {
		return directory.AccessKey{}, fault.New(fault.NotFound, op, nil)
	}
	return decodeListedKey(items[0])
}

// RevokeAccessKey makes a key count no longer, and returns what is kept of it.
// A key that is revoked already keeps the time when it was. NotFound: there is
// no such key.
func (s *Store) RevokeAccessKey(ctx context.Context, id string, now time.Time) (directory.AccessKey, error) {
	k, err := s.updateAccessKey(ctx, "revoke access key "+id, id, now,
		"SET revokedAt = if_not_exists(revokedAt, :time)", "attribute_exists(pk)")
	if none := new(types.ConditionalCheckFailedException); errors.As(err, &none) {
		return k, fault.New(fault.NotFound, "revoke access key "+id, nil)
	}
	return k, err
}

// ExpireAccessKey ends a key at a time, and returns what is kept of it. A key
// that ends before stays as it is: no key counts for longer than it did.
// NotFound: there is no such key.
func (s *Store) ExpireAccessKey(ctx context.Context, id string, at time.Time) (directory.AccessKey, error) {
	k, err := s.updateAccessKey(ctx, "expire access key "+id, id, at,
		"SET expiresAt = :time", "attribute_exists(pk) AND (attribute_not_exists(expiresAt) OR expiresAt > :time)")
	if kept := new(types.ConditionalCheckFailedException); errors.As(err, &kept) {
		return s.AccessKeyInFull(ctx, id)
	}
	return k, err
}

// updateAccessKey writes a time into a key that meets a condition.
func (s *Store) updateAccessKey(ctx context.Context, op, id string, at time.Time, update, condition string) (directory.AccessKey, error) {
	var updated item
	err := persist(ctx, func() error {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		out, err := s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName:                 &s.tables.Partners,
			Key:                       accessKeyItemKey(id),
			UpdateExpression:          &update,
			ConditionExpression:       &condition,
			ExpressionAttributeValues: item{":time": str(usage.FormatTime(at))},
			ReturnValues:              types.ReturnValueAllNew,
		})
		if err == nil {
			updated = out.Attributes
		}
		return translate(op, err)
	})
	if err != nil {
		return directory.AccessKey{}, err
	}
	return decodeListedKey(updated)
}

func accessKeyItemKey(id string) item { return item{"pk": str(accessKeyKey(id)), "sk": str(profile)} }

func decodeListedKey(it item) (directory.AccessKey, error) {
	r := reader{item: it}
	return decodeAccessKey(strings.TrimPrefix(r.text("pk"), keyPrefix), it)
}
