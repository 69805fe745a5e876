-- access_grants still shows an earlier run, or nothing.
{{ config(severity='warn') }}

select * from {{ ref('access_evidence') }} where problem is not null
