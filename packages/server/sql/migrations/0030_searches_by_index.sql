-- additive
-- A search of an index of terms reads the index alone. The planner expects each term in a part of all records, whatever their number: from some
-- million records on, it read the whole table instead (over 60 seconds at five million, where the index takes 2 ms), started parallel workers
-- (10 ms), and would compile the statement.
alter function tally_find_candidates(text, integer, bigint, bigint, text[], boolean, integer) set enable_seqscan = off;
alter function tally_find_candidates(text, integer, bigint, bigint, text[], boolean, integer) set max_parallel_workers_per_gather = 0;
alter function tally_find_candidates(text, integer, bigint, bigint, text[], boolean, integer) set jit = off;
alter function tally_find_search_candidates(text, integer, bigint, bigint, text[], text[], boolean, integer) set enable_seqscan = off;
alter function tally_find_search_candidates(text, integer, bigint, bigint, text[], text[], boolean, integer) set max_parallel_workers_per_gather = 0;
alter function tally_find_search_candidates(text, integer, bigint, bigint, text[], text[], boolean, integer) set jit = off;
