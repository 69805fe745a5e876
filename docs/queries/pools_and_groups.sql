-- What do identity pools, group mappings and principals of unknown kinds hold?
-- Asked by: security engineers; a strict join with users and service accounts loses all of these.
-- One grant here may stand for many people or workloads: the identity provider says for whom.
select
    coalesce(principal_type, 'unknown') as principal_type,
    principal_id,
    count(*) as grants,
    sum(case when role_name like '%Admin' then 1 else 0 end) as admin_grants,
    sum(case when scope_type = 'organization' then 1 else 0 end) as on_organization,
    count(distinct environment_id) as environments
from role_bindings
where coalesce(principal_type, 'unknown') not in ('user', 'service_account')
group by coalesce(principal_type, 'unknown'), principal_id
order by grants desc, principal_id;
