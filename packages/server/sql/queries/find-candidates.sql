-- Records of one epoch that may match, by the field index, and how far the index reaches (migrations/0022_field_terms.sql).
--   $1 tenant, $2 epoch, $3 and $4 first and last sequence number, $5 hashes of terms: a record needs one of each group,
--   $6 the newest first, $7 most candidates
select sequence_number, indexed_to
  from tally_find_candidates($1, $2::integer, $3::bigint, $4::bigint, $5::text[], $6::boolean, $7::integer)
