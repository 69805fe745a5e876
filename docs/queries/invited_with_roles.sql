-- Who holds roles already without ever having accepted an invitation?
-- Asked by: security engineers; whoever gets at that mailbox in time gets these roles.
-- The user id exists from the moment of the invitation, before the user is listed.
-- Deactivated and expired invitations are included: their grants should be gone.
select
    i.email,
    i.status,
    i.user_id,
    b.role_name,
    b.scope_type,
    b.environment_id,
    b.id
from invitations i
join role_bindings b on b.principal_id = i.user_id
where i.accepted_at is null
  and coalesce(i.status, '') <> 'INVITE_STATUS_ACCEPTED'
order by i.user_id, i.id, b.role_name, b.id;
