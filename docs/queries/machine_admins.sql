-- Which service accounts and identity pools hold admin roles?
-- Asked by: security engineers; an admin key that leaks grants itself whatever it lacks.
-- Widest scope first. What provisions infrastructure may need it; what produces and consumes does not.
select
    b.scope_type,
    b.role_name,
    b.principal_type,
    b.principal_id,
    s.display_name,
    b.environment_id,
    b.cloud_cluster_id,
    b.service_type
from role_bindings b
left join service_accounts s on s.id = b.principal_id
where b.principal_type in ('service_account', 'identity_pool')
  and b.role_name like '%Admin'
order by
    case b.scope_type when 'organization' then 1 when 'environment' then 2 else 3 end,
    b.role_name, b.principal_id, b.id;
