-- Who administers the whole organization, people first?
-- Asked by: security engineers and auditors, at every access review.
-- Scope `organization` alone is not enough: a grant on an identity provider has it too, but names a resource.
-- Without a name: nobody that the streams list, see bindings_of_unlisted_principals.sql and pools_and_groups.sql.
select
    b.principal_type,
    b.principal_id,
    coalesce(u.email, s.display_name) as name,
    u.auth_type,
    b.role_name,
    substr(cast(b.created_at as varchar), 1, 10) as since
from role_bindings b
left join users u on u.id = b.principal_id
left join service_accounts s on s.id = b.principal_id
where b.scope_type = 'organization'
  and b.service_type is null
  and b.resource_type is null
  and b.role_name like '%Admin'
order by
    case b.principal_type when 'user' then 1 when 'group_mapping' then 2 when 'service_account' then 3 else 4 end,
    case b.role_name when 'OrganizationAdmin' then 1 else 2 end,
    b.role_name, b.principal_id, b.id;
