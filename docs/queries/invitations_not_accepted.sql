-- Which invitations were sent and never accepted, expired or not?
-- Asked by: whoever runs the joiner and leaver process.
-- The status may lag behind the clock, so `past_expiry` is computed. Statuses that are not known are listed, too;
-- staged ones were not sent yet, deactivated ones are in invited_with_roles.sql if they matter.
select
    i.email,
    i.status,
    substr(cast(i.expires_at as varchar), 1, 10) as expires_on,
    case when i.expires_at < current_timestamp then 'yes' else 'no' end as past_expiry,
    coalesce(c.email, s.display_name, i.creator_id) as invited_by,
    i.id
from invitations i
left join users c on c.id = i.creator_id
left join service_accounts s on s.id = i.creator_id
where i.accepted_at is null
  and coalesce(i.status, '') not in
      ('INVITE_STATUS_ACCEPTED', 'INVITE_STATUS_STAGED', 'INVITE_STATUS_DEACTIVATED')
order by i.expires_at, i.id;
