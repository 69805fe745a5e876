-- Which API keys of people are older than 90 days?
-- Asked by: auditors and security engineers; a person's key lives on while the person changes jobs.
-- Put in your own day on the marked line: `current_date - 90` in DuckDB, `date('now', '-90 day')` in SQLite. Needs api_keys.
-- Keys of unknown age are listed. When a key was last used, the service does not say. `clusters`: see keys_without_owner.sql.
select
    k.id as api_key,
    substr(cast(k.created_at as varchar), 1, 10) as created_on,
    u.id as owner_id,
    u.email,
    k.resource_kind,
    k.resource_id,
    case when json_array_length(k.spec, '$.resources') > 1 then json_array_length(k.spec, '$.resources') end as clusters,
    k.display_name
from api_keys k
join users u on u.id = k.owner_id
cross join (
    select '2025-10-10' as day -- <- 90 days before the sample's last day: keys made before it are old
) as limits
where substr(cast(k.created_at as varchar), 1, 10) < cast(limits.day as varchar)
   or k.created_at is null
order by coalesce(cast(k.created_at as varchar), ''), k.id;
