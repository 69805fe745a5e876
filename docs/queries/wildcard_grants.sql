-- Which grants cover every name, or every name that begins with something?
-- Asked by: security engineers who look for more access than is needed; those on all names come first.
-- A prefix covers topics that do not exist yet. Some targets store an empty `resource_name` as null, hence coalesce.
select
    case when coalesce(b.resource_name, '') = '' then 'every name' else 'prefix' end as covers,
    b.resource_type,
    coalesce(b.resource_name, '') || '*' as resource,
    b.environment_id,
    coalesce(b.cloud_cluster_id, b.service_id) as inside,
    b.role_name,
    b.principal_type,
    b.principal_id,
    coalesce(u.email, s.display_name) as name
from role_bindings b
left join users u on u.id = b.principal_id
left join service_accounts s on s.id = b.principal_id
where b.pattern_type = 'PREFIXED'
order by covers, b.resource_type, coalesce(b.resource_name, ''), b.role_name, b.principal_id, b.id;
