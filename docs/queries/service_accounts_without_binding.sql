-- Which service accounts hold no role at all?
-- Asked by: platform engineers who clean up machine identities.
-- API keys are not a stream yet: such an account may still own a key, and Kafka ACLs, which are not
-- role bindings, may let that key in. Look before deleting.
select
    s.id,
    s.display_name,
    s.description,
    substr(cast(s.created_at as varchar), 1, 10) as created_on
from service_accounts s
left join role_bindings b on b.principal_id = s.id
where b.id is null
order by s.created_at, s.id;
