-- Blocks of 4096 records of one epoch in which a search has to look (migrations/0032_term_blocks.sql).
--   $1 tenant, $2 epoch, $3 and $4 first and last block, of one group, $5 and $6 hashes of terms of the search index and the field index: a
--   block needs one of each group, $7 and $8 when the events happened
select block from tally_find_blocks($1, $2::integer, $3::bigint, $4::bigint, $5::text[], $6::text[], $7::timestamptz, $8::timestamptz)
