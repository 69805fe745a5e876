-- What does one principal hold?
-- Asked by: managers who confirm a person's access; anyone who handles a leaver or a leaked key.
-- Put an id of yours in place of the one below, a service account of the sample. Grants are not effective access:
-- what comes by a group mapping or a Kafka ACL is not among them, and an admin role contains more than it names.
select
    role_name,
    scope_type,
    environment_id,
    cloud_cluster_id,
    service_type,
    resource_type,
    coalesce(resource_name, '') || case when pattern_type = 'PREFIXED' then '*' else '' end as resource,
    substr(cast(created_at as varchar), 1, 10) as since
from role_bindings
where principal_id = 'sa-5y00fx'
order by role_name, crn_pattern, id;
