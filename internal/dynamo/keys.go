package dynamo

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partnerview/internal/directory"
	"partnerview/internal/fault"
	"partnerview/internal/usage"
)

var (
	accessKeyAttributes = project("pk", "sk", "partnerId", "hash", "narrowed", "expiresAt", "revokedAt")
	allOfAccessKey      = project("pk", "sk", "partnerId", "hash", "narrowed", "lastFour", "label", "createdAt",
		"expiresAt", "revokedAt")
	keyReferenceAttributes = project("pk", "sk")
)

const (
	keyPrefix = "KEY#"
	yes       = "yes"
)

func accessKeyItemKey(id string) item {
	return item{"pk": str(keyPrefix + id), "sk": str(profile)}
}

// keyReference is the item under which a partner lists a key.
func keyReference(partner directory.PartnerID, id string) item {
	return item{"pk": str(partnerKey(partner)), "sk": str(keyPrefix + id)}
}

// AccessKey reads what a decision needs of an access key, one read. NotFound: there
// is no key of that id.
func (s *Store) AccessKey(ctx context.Context, id string) (directory.AccessKey, error) {
	it, err := s.get(ctx, "access key "+id, s.tables.Partners, accessKeyItemKey(id), accessKeyAttributes)
	if err != nil {
		return directory.AccessKey{}, err
	}
	return decodeAccessKey(it)
}

// GetAccessKey reads all that is kept of an access key. NotFound: there is no key of
// that id.
func (s *Store) GetAccessKey(ctx context.Context, id string) (directory.AccessKey, error) {
	it, err := s.getConsistent(ctx, "access key "+id, s.tables.Partners, accessKeyItemKey(id), allOfAccessKey)
	if err != nil {
		return directory.AccessKey{}, err
	}
	return decodeAccessKey(it)
}

// AccessKeys lists a partner's access keys, revoked and expired ones too, by the
// time of their making.
func (s *Store) AccessKeys(ctx context.Context, partner directory.PartnerID) ([]directory.AccessKey, error) {
	ids, err := s.AccessKeyIDs(ctx, partner)
	if err != nil {
		return nil, err
	}
	var keys []directory.AccessKey
	for batch := range slices.Chunk(ids, maxBatchGet) {
		wanted := make([]item, len(batch))
		for i, id := range batch {
			wanted[i] = accessKeyItemKey(id)
		}
		items, err := s.batchGet(ctx, "access keys of "+string(partner), s.tables.Partners, wanted, allOfAccessKey,
			true)
		if err != nil {
			return nil, err
		}
		for _, it := range items {
			k, err := decodeAccessKey(it)
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

// PutAccessKey keeps a new access key. The reference under which its partner
// lists it comes first: a key that counts is always listed, and can be revoked. A
// reference whose key was never written is not listed.
func (s *Store) PutAccessKey(ctx context.Context, k directory.AccessKey) error {
	op := "write access key " + k.ID
	if err := s.put(ctx, op, s.tables.Partners, keyReference(k.Partner, k.ID)); err != nil {
		return err
	}
	return s.put(ctx, op, s.tables.Partners, encodeAccessKey(k))
}

// DeleteAccessKey deletes a key, and then the reference by which its partner has
// it. It is no error if either is not there.
func (s *Store) DeleteAccessKey(ctx context.Context, partner directory.PartnerID, id string) error {
	op := "delete access key " + id
	if err := s.deleteItem(ctx, op, s.tables.Partners, accessKeyItemKey(id)); err != nil {
		return err
	}
	return s.deleteItem(ctx, op, s.tables.Partners, keyReference(partner, id))
}

// RevokeAccessKey makes a key count no longer, and returns what is kept of it.
// A key that is revoked already keeps the time when it was. NotFound: there is
// no such key.
func (s *Store) RevokeAccessKey(ctx context.Context, id string, now time.Time) (directory.AccessKey, error) {
	op := "revoke access key " + id
	k, err := s.updateAccessKey(ctx, op, id, now, "SET revokedAt = if_not_exists(revokedAt, :time)",
		"attribute_exists(pk)")
	if isConditionFailed(err) {
		return k, fault.New(fault.NotFound, op, nil)
	}
	return k, err
}

// ExpireAccessKey ends a key at a time, and returns what is kept of it. A key
// that ends before stays as it is: no key counts for longer than it did.
// NotFound: there is no such key.
func (s *Store) ExpireAccessKey(ctx context.Context, id string, at time.Time) (directory.AccessKey, error) {
	k, err := s.updateAccessKey(ctx, "expire access key "+id, id, at,
		"SET expiresAt = :time", "attribute_exists(pk) AND (attribute_not_exists(expiresAt) OR expiresAt > :time)")
	if isConditionFailed(err) {
		return s.GetAccessKey(ctx, id)
	}
	return k, err
}

// NarrowAccessKey makes a key see the customers of its own list alone; WidenAccessKey
// all of its partner's. Both may be repeated. NotFound: there is no such key.
func (s *Store) NarrowAccessKey(ctx context.Context, id string) error {
	return s.updateExisting(ctx, "narrow access key "+id, accessKeyItemKey(id), "SET narrowed = :yes", nil,
		item{":yes": str(yes)})
}

// WidenAccessKey undoes [Store.NarrowAccessKey]; the key's list stays.
func (s *Store) WidenAccessKey(ctx context.Context, id string) error {
	return s.updateExisting(ctx, "widen access key "+id, accessKeyItemKey(id), "REMOVE narrowed", nil, nil)
}

// updateAccessKey writes a time into a key that meets a condition.
func (s *Store) updateAccessKey(ctx context.Context, op, id string, at time.Time, update,
	condition string) (directory.AccessKey, error) {
	it, err := s.update(ctx, op, &dynamodb.UpdateItemInput{
		TableName:                 &s.tables.Partners,
		Key:                       accessKeyItemKey(id),
		UpdateExpression:          &update,
		ConditionExpression:       &condition,
		ExpressionAttributeValues: item{":time": str(usage.FormatTime(at))},
		ReturnValues:              types.ReturnValueAllNew,
	})
	if err != nil {
		return directory.AccessKey{}, err
	}
	return decodeAccessKey(it)
}

func decodeAccessKey(it item) (directory.AccessKey, error) {
	r := reader{item: it}
	k := directory.AccessKey{
		ID:        strings.TrimPrefix(r.text("pk"), keyPrefix),
		Partner:   directory.PartnerID(r.required("partnerId")),
		LastFour:  r.text("lastFour"),
		Label:     r.text("label"),
		CreatedAt: r.time("createdAt"),
		ExpiresAt: r.time("expiresAt"),
		RevokedAt: r.time("revokedAt"),
	}
	switch narrowed := r.text("narrowed"); narrowed {
	case "", yes:
		k.Narrowed = narrowed == yes
	default:
		r.fail("narrowed", yes) // read as "no", it would widen the key
	}
	if copy(k.SecretHash[:], r.bytes("hash")) != len(k.SecretHash) {
		r.fail("hash", "32 bytes")
	}
	if r.err != nil {
		return directory.AccessKey{}, badItem("access key", k.ID, r.err)
	}
	return k, nil
}

func encodeAccessKey(k directory.AccessKey) item {
	it := accessKeyItemKey(k.ID)
	it["partnerId"] = str(string(k.Partner))
	it["hash"] = &types.AttributeValueMemberB{Value: k.SecretHash[:]}
	putText(it, "lastFour", k.LastFour)
	putText(it, "label", k.Label)
	if k.Narrowed {
		it["narrowed"] = str(yes)
	}
	putTime(it, "createdAt", k.CreatedAt)
	putTime(it, "expiresAt", k.ExpiresAt)
	putTime(it, "revokedAt", k.RevokedAt)
	return it
}
