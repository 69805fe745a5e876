-- How many grants are there of each role at each level, to people and to machines?
-- Asked by: auditors, to compare one review with the last.
-- People are users and group mappings, machines are service accounts and identity pools;
-- what is neither is in `grants` alone. The level is the last thing that the pattern names.
select
    role_name,
    coalesce(resource_type, service_type, scope_type, 'unknown') as level,
    count(*) as grants,
    sum(case when principal_type in ('user', 'group_mapping') then 1 else 0 end) as people,
    sum(case when principal_type in ('service_account', 'identity_pool') then 1 else 0 end) as machines
from role_bindings
group by role_name, coalesce(resource_type, service_type, scope_type, 'unknown')
order by grants desc, role_name, level;
