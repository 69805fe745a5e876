-- Which grants belong to users or service accounts that are not listed?
-- Asked by: security engineers; such grants are invisible to anyone who joins strictly.
-- Either the principal was invited and has not accepted, which the invitation tells, or it is gone: deleting it should
-- have deleted its grants. Identity pools and group mappings have no stream: pools_and_groups.sql.
select
    b.principal_type,
    b.principal_id,
    i.email as invited_as,
    i.status as invitation,
    b.role_name,
    b.scope_type,
    b.environment_id,
    b.id
from role_bindings b
left join users u on u.id = b.principal_id
left join service_accounts s on s.id = b.principal_id
left join (
    select user_id, email, status,
        row_number() over (partition by user_id order by created_at desc nulls last, id) as nth
    from invitations
) i on i.user_id = b.principal_id and i.nth = 1
where u.id is null
  and s.id is null
  and coalesce(b.principal_type, '') not in ('identity_pool', 'group_mapping')
order by
    case when coalesce(i.status, 'INVITE_STATUS_ACCEPTED') = 'INVITE_STATUS_ACCEPTED' then 1 else 2 end,
    b.principal_id, b.role_name, b.id;
