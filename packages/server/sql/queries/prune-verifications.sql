-- Deletes the oldest checks of a tenant, a thousand at a time, through audit_verification_log_tenant and audit_verification_log_whole. It keeps
-- the newest checks ($2), of the older ones the newest that found something ($3), and for each epoch the newest of the whole chain.
delete from audit_verification_log
 where id in (
   select o.id
     from (select id, epoch, verdict, from_start and to_end as is_whole,
                  count(*) filter (where verdict = 'broken') over (order by id desc) as broken
             from audit_verification_log
            where tenant_id = $1
              and id < (select id from audit_verification_log where tenant_id = $1 order by id desc offset $2::integer - 1 limit 1)) o
    where (o.verdict <> 'broken' or o.broken > $3::integer)
      and (not o.is_whole
           or o.id < (select max(w.id) from audit_verification_log w
                       where w.tenant_id = $1 and w.epoch = o.epoch and w.from_start and w.to_end))
    order by o.id
    limit 1000)
