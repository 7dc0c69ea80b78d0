package template

type keySchema []struct{ AttributeName, KeyType string }

func (k keySchema) key() (key Key) {
	for _, e := range k {
		if e.KeyType == "HASH" {
			key.Partition = e.AttributeName
		} else {
			key.Sort = e.AttributeName
		}
	}
	return key
}

func (rd *reading) table(id string) error {
	var p struct {
		BillingMode                      string
		DeletionProtectionEnabled        bool `json:",string"`
		PointInTimeRecoverySpecification struct {
			PointInTimeRecoveryEnabled bool `json:",string"`
		}
		SSESpecification struct {
			SSEEnabled bool `json:",string"`
		}
		TimeToLiveSpecification struct {
			AttributeName string
			Enabled       bool `json:",string"`
		}
		AttributeDefinitions   []struct{ AttributeName, AttributeType string }
		KeySchema              keySchema
		GlobalSecondaryIndexes []struct {
			IndexName  string
			KeySchema  keySchema
			Projection struct {
				ProjectionType   string
				NonKeyAttributes []string
			}
		}
	}
	if err := rd.properties(id, &p); err != nil {
		return err
	}
	resource := rd.resources[id]
	table := Table{
		ID: id, Name: rd.values[id], Key: p.KeySchema.key(), Attributes: make(map[string]string),
		OnDemand:            p.BillingMode == "PAY_PER_REQUEST",
		Encrypted:           p.SSESpecification.SSEEnabled,
		PointInTimeRecovery: p.PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled,
		DeletionProtected:   p.DeletionProtectionEnabled,
		Retained:            resource["DeletionPolicy"] == "Retain" && resource["UpdateReplacePolicy"] == "Retain",
	}
	if p.TimeToLiveSpecification.Enabled {
		table.TTL = p.TimeToLiveSpecification.AttributeName
	}
	for _, a := range p.AttributeDefinitions {
		table.Attributes[a.AttributeName] = a.AttributeType
	}
	for _, i := range p.GlobalSecondaryIndexes {
		table.Indexes = append(table.Indexes, Index{
			Name: i.IndexName, Key: i.KeySchema.key(),
			Projection: i.Projection.ProjectionType, Included: i.Projection.NonKeyAttributes,
		})
	}
	rd.t.Tables = append(rd.t.Tables, table)
	return nil
}
