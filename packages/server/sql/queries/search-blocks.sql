-- Records of one epoch that a search may match, by the indexes of terms, and how far these reach (migrations/0034_block_searches.sql).
--   $1 tenant, $2 epoch, $3 and $4 first and last sequence number, $5 blocks in the order of the search, $6 and $7 hashes of terms of the search
--   index and the field index, by group and block: a record needs one of each group, $8 the newest first, $9 most candidates
select sequence_number, indexed_to
  from tally_search_blocks($1, $2::integer, $3::bigint, $4::bigint, $5::bigint[], $6::text[], $7::text[], $8::boolean, $9::integer)
