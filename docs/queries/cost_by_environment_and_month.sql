-- What does each environment cost, month by month?
-- Asked by: cost teams; the month that is not over, and its last three days, still grow.
-- Amounts are in US dollars, after discounts. Without an environment: support, credits, and what belongs to no environment.
-- Remove the rows of costs_taken_back.sql first. Needs billing_costs and environments.
select
    substr(cast(c.start_date as varchar), 1, 7) as month,
    c.environment_id,
    e.display_name as environment,
    count(*) as lines,
    round(sum(c.amount), 2) as amount
from billing_costs c
left join environments e on e.id = c.environment_id
group by 1, c.environment_id, e.display_name
order by 1, coalesce(c.environment_id, '');
