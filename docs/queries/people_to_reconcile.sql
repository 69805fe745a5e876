-- Which e-mail addresses are to be held against the list of active employees?
-- Asked by: whoever runs the joiner and leaver process; join your own table of employees by `email`.
-- Users, and invitations that were not accepted; addresses are in lower case. Most grants come first.
-- Under `personal_data: hash` the addresses are hashes: hash the employees' with the same key.
with people as (
    select id as user_id, lower(email) as email, 'user' as listed_as from users
    union all
    select user_id, lower(email), status from invitations
    where accepted_at is null
      and coalesce(status, '') <> 'INVITE_STATUS_ACCEPTED'
      and not exists (select 1 from users where users.id = invitations.user_id)
)
select
    p.email,
    p.listed_as,
    p.user_id,
    count(b.id) as grants,
    sum(case when b.role_name like '%Admin' then 1 else 0 end) as admin_grants
from people p
left join role_bindings b on b.principal_id = p.user_id
group by p.email, p.listed_as, p.user_id
order by grants desc, p.email, p.user_id, p.listed_as;
