-- Which service accounts have neither an API key nor a role?
-- Asked by: platform engineers who clean up machine identities.
-- Without a key it cannot sign in; workloads that do so through an identity provider are identity pools. Needs
-- api_keys as the key of an OrganizationAdmin reads it: to others the service shows fewer keys.
select
    s.id,
    s.display_name,
    s.description,
    substr(cast(s.created_at as varchar), 1, 10) as created_on
from service_accounts s
left join api_keys k on k.owner_id = s.id
left join role_bindings b on b.principal_id = s.id
where k.id is null
  and b.id is null
order by s.created_at, s.id;
