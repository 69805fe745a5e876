-- Who signs in with a local password although the organization has SSO?
-- Asked by: identity teams; such accounts outlive a leaver's account at the identity provider.
-- That there is SSO is concluded from other users: without a single SSO user the answer is empty.
-- Accounts with admin roles come first. One or two may be kept for emergencies on purpose.
select
    u.email,
    u.full_name,
    u.id,
    count(b.id) as grants,
    sum(case when b.role_name like '%Admin' then 1 else 0 end) as admin_grants
from users u
left join role_bindings b on b.principal_id = u.id
where u.auth_type = 'AUTH_TYPE_LOCAL'
  and exists (select 1 from users where auth_type = 'AUTH_TYPE_SSO')
group by u.id, u.email, u.full_name
order by admin_grants desc, grants desc, u.id;
