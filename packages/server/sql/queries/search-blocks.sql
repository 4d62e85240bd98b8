-- Records of one epoch that a search may match, by the indexes of terms, and how far these reach (migrations/0034_block_searches.sql).
--   $1 tenant, $2 epoch, $3 and $4 first and last sequence number, $5 blocks in the order of the search, $6 and $7 hashes of terms of the search
--   index and the field index, by group and block: a record needs one of each group, $8 the newest first, $9 most candidates
-- What a pair of values costs that 100 of five million records have together, in 1,000 blocks, in processor time of the database: all blocks in one
-- scan of the index 50 ms (each entry is compared with the terms of all blocks), block by block 16.5 ms, and 12 ms without the term `*` where the
-- summaries say that no record has it (trail/block-queue.ts). 5.6 ms of that are 1,000 scans of an index that find nothing. The order of the two
-- terms makes no difference. One value alone is not faster: 9.4 ms for the 2,000 records that have it.
select sequence_number, indexed_to
  from tally_search_blocks($1, $2::integer, $3::bigint, $4::bigint, $5::bigint[], $6::text[], $7::text[], $8::boolean, $9::integer)
