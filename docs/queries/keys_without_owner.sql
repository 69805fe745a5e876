-- Which API keys belong to nobody who is listed?
-- Asked by: security engineers; such a key may still open what it opened, and nobody rotates it.
-- The owner is gone, or was invited and has not accepted; the newest invitation tells which. Needs api_keys.
-- A key for several clusters has their number in `clusters`, and no resource; its `spec` names them.
select
    k.id as api_key,
    k.owner_id,
    i.email as invited_as,
    i.status as invitation,
    k.resource_kind,
    k.resource_id,
    case when json_array_length(k.spec, '$.resources') > 1 then json_array_length(k.spec, '$.resources') end as clusters,
    k.environment_id,
    substr(cast(k.created_at as varchar), 1, 10) as created_on
from api_keys k
left join users u on u.id = k.owner_id
left join service_accounts s on s.id = k.owner_id
left join (
    select user_id, email, status,
        row_number() over (partition by user_id order by created_at desc nulls last, id) as nth
    from invitations
) i on i.user_id = k.owner_id and i.nth = 1
where u.id is null
  and s.id is null
order by k.created_at, k.id;
