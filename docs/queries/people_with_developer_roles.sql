-- Which people hold Developer* roles, made for applications, in person?
-- Asked by: security engineers; for production add `and b.environment_id = 'env-…'`.
-- Group mappings count as people: who is in a group, the identity provider knows, not Confluent Cloud.
select
    b.principal_id,
    u.email,
    b.role_name,
    b.environment_id,
    b.cloud_cluster_id,
    b.service_type,
    b.resource_type,
    coalesce(b.resource_name, '') || case when b.pattern_type = 'PREFIXED' then '*' else '' end as resource
from role_bindings b
left join users u on u.id = b.principal_id
where b.principal_type in ('user', 'group_mapping')
  and b.role_name like 'Developer%'
order by b.principal_id, b.role_name, b.crn_pattern, b.id;
