-- Which rows of costs has the service taken back?
-- Asked by: cost teams, before they add up; the total is too high by the amounts of these rows, so delete them by their key.
-- A day is always read as a whole, so rows that were extracted an hour before others of their day are gone. The target has to
-- store the time of extraction, here `_sdc_extracted_at`. In SQLite, write `unixepoch` for `epoch`. Needs billing_costs.
select
    c.cost_id,
    substr(cast(c.start_date as varchar), 1, 10) as day,
    c.line_type,
    c.resource_id,
    c.amount
from billing_costs c
join (
    select start_date, max(epoch(_sdc_extracted_at)) as at from billing_costs group by start_date
) as newest on newest.start_date = c.start_date
where epoch(c._sdc_extracted_at) < newest.at - 3600
order by c.start_date, c.cost_id;
