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
	keyListAttributes      = project("pk", "sk", "partnerId", "hash", "label", "createdAt", "expiresAt", "revokedAt")
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
	references, err := s.queryAll(ctx, query{
		op: op, table: s.tables.Partners,
		projection: keyReferenceAttributes,
		condition:  "#pk = :pk AND begins_with(#sk, :key)",
		values:     item{":pk": str(partnerKey(partner)), ":key": str(keyPrefix)},
		consistent: true,
	})
	if err != nil {
		return nil, err
	}
	wanted := make([]item, len(references))
	for i, it := range references {
		r := reader{item: it}
		wanted[i] = item{"pk": str(r.text("sk")), "sk": str(profile)} // a reference's sort key is its key's partition
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

// RevokeAccessKey makes a key count no longer, and returns what is kept of it.
// A key that is revoked already keeps the time when it was. NotFound: there is
// no such key.
func (s *Store) RevokeAccessKey(ctx context.Context, id string, now time.Time) (directory.AccessKey, error) {
	op := "revoke access key " + id
	var revoked item
	err := persist(ctx, func() error {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		out, err := s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName:                 &s.tables.Partners,
			Key:                       item{"pk": str(accessKeyKey(id)), "sk": str(profile)},
			UpdateExpression:          aws.String("SET revokedAt = if_not_exists(revokedAt, :now)"),
			ConditionExpression:       aws.String("attribute_exists(pk)"),
			ExpressionAttributeValues: item{":now": str(usage.FormatTime(now))},
			ReturnValues:              types.ReturnValueAllNew,
		})
		if none := new(types.ConditionalCheckFailedException); errors.As(err, &none) {
			return fault.New(fault.NotFound, op, nil)
		}
		if err == nil {
			revoked = out.Attributes
		}
		return translate(op, err)
	})
	if err != nil {
		return directory.AccessKey{}, err
	}
	return decodeListedKey(revoked)
}

func decodeListedKey(it item) (directory.AccessKey, error) {
	r := reader{item: it}
	return decodeAccessKey(strings.TrimPrefix(r.text("pk"), keyPrefix), it)
}
