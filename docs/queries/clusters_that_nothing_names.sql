-- Which Kafka clusters does no role binding and no API key name?
-- Asked by: platform and cost teams; such a cluster costs money, and perhaps nobody may use it.
-- Perhaps: roles on the environment or the organization reach it (counted here, whatever the role), and so do global keys.
-- ACLs and traffic are not known. Needs api_keys, environments and kafka_clusters; only an OrganizationAdmin sees all keys.
with recursive several as (
    select id, spec, 0 as n from api_keys
    where json_array_length(spec, '$.resources') > 1
    union all
    select id, spec, n + 1 from several
    where n + 1 < json_array_length(spec, '$.resources')
),
named as (
    select cloud_cluster_id as cluster_id from role_bindings
    union all
    select resource_id from api_keys
    union all
    select spec ->> ('$.resources[' || n || '].id') from several
),
wide as (
    select id, scope_type, environment_id from role_bindings
    where scope_type in ('environment', 'organization')
      and service_type is null
      and resource_type is null
)
select
    e.display_name as environment,
    c.id,
    c.display_name,
    c.phase,
    substr(cast(c.created_at as varchar), 1, 10) as created_on,
    count(case when w.scope_type = 'environment' then 1 end) as grants_on_environment,
    count(case when w.scope_type = 'organization' then 1 end) as grants_on_organization
from kafka_clusters c
left join environments e on e.id = c.environment_id
left join wide w on w.scope_type = 'organization' or w.environment_id = c.environment_id
where c.id not in (select cluster_id from named where cluster_id is not null)
group by c.id, c.display_name, c.phase, c.created_at, e.display_name
order by c.id;
