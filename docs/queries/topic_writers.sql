-- Who can write to, change or delete topics, and which ones?
-- Asked by: security engineers and owners of data; for production add `and b.environment_id = 'env-…'`,
-- or `is null` for those who administer the organization and with it every environment.
-- Admins above a topic are listed because they can write or grant it to themselves. Kafka ACLs are not seen here.
select
    b.environment_id,
    b.cloud_cluster_id,
    case when b.resource_type = 'topic'
         then coalesce(b.resource_name, '') || case when b.pattern_type = 'PREFIXED' then '*' else '' end
         else '(all)' end as topic,
    b.role_name,
    b.principal_type,
    b.principal_id,
    coalesce(u.email, s.display_name) as name
from role_bindings b
left join users u on u.id = b.principal_id
left join service_accounts s on s.id = b.principal_id
where (b.resource_type = 'topic' and b.role_name in ('DeveloperWrite', 'DeveloperManage', 'ResourceOwner'))
   or (b.resource_type is null and b.role_name in ('OrganizationAdmin', 'EnvironmentAdmin', 'CloudClusterAdmin'))
order by
    coalesce(b.environment_id, ''), coalesce(b.cloud_cluster_id, ''),
    case when b.resource_type = 'topic' then 2 else 1 end,
    coalesce(b.resource_name, ''), b.principal_id, b.role_name, b.id;
